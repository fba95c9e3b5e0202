"""The Inside page: the lesson."""
