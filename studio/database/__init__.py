"""What the studio remembers: tables, migrations, and the one way to a session."""
