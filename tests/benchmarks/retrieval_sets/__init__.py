"""Retrieval sets that nobody tunes on: marked talk in `SET/source`, made into what a recogniser, a room and an asker would leave behind."""
