// Package units starts the units of tools/systemd by a real systemd: process 1 of namespaces
// of its own, on a copy of this machine's root in memory. Nothing of it stays, and nothing
// that this machine runs is touched.
package units
