"""Published byte formats, read and written without I/O: what goes in and comes out is bytes."""
