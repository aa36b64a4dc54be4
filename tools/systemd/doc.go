// Package systemd holds the units of agent and manager. Its tests ask systemd-analyze, where
// it is, whether they are valid and how far they are shut in; kernel-tests/programs runs
// Cassini with the rights that they name, and kernel-tests/units starts them by a real systemd.
package systemd
