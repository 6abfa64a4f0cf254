"""The texts of `api.messages`, key → (Chinese, English), one file for each place that they are read in."""
