"""Properties that hold for any input. AZORA_FUZZ_EXAMPLES is how many inputs each one tries."""
