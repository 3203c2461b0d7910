"""Widgets that know no network: they show what they are given and post what the person does."""
