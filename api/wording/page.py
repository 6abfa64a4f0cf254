"""What the web page says."""

PAGE: dict[str, tuple[str, str]] = {
    "page.title": ("主播当时怎么说的?", "What did the host say?"),
}
