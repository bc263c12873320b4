"""What can be done about second factors."""
