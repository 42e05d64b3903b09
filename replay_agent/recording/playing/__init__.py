"""What a run is answered from: cassettes and journals that were recorded."""
