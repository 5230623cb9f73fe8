"""What a support engineer would ask about an installation, each answer with the way to mend what is wrong."""
