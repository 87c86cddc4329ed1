"""One run: which streams are read, in which order, and how far each of them got."""
