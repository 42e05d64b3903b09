"""One recorded run, played again with every fault at every turn, and a verdict on how the client took each."""
