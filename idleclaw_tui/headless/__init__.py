"""The three modes without a screen. Nothing here imports Textual."""
