"""What the machine around us asks of text: names that file systems take, output that terminals may show, variables
in which credentials lie.
"""
