// Runs before every test file: what tests write for tenants must come out with the modes they give, whatever the umask of
// whoever runs them.
process.umask(0o022)
