"""The reference model: a small promptable network for organs in CT and MR, and the script that trains it."""
