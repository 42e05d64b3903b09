"""A comparison as text for a terminal, as markdown for a review, as JSON for programs."""
