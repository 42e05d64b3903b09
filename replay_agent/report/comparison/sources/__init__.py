"""Where the two sides come from: files, folders, revisions; which file of one is which of the other."""
