"""`python -m azora_orchestrator` is `azora`."""

from azora_orchestrator.cli import main

if __name__ == "__main__":
    main()
