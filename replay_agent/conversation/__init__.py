"""What recorded traffic means: keys, transcripts, text, cost."""
