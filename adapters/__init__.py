"""How the core touches the world. An adapter imports application and domain, never another adapter."""
