"""What the commands of administrators and of the operator do."""
