"""The three modes without a screen; nothing here imports Textual."""
