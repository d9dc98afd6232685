"""What is trained: the project contract and the projects that ship with Loopworks."""
