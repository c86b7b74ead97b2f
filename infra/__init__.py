"""What AWS is told: resources, policies, packaging and deployment.  Nothing here ships to Lambda."""
