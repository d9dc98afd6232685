"""`python -m company` is the `loopworks` command."""

from company.cli import main

main()
