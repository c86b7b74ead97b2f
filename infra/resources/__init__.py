"""The stack, a file per topic.  Each has ``resources(stage)``; logical ids are the names other files refer to."""
