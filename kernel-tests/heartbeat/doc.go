// Package heartbeat tries the watch of heartbeats and whole rings of agents on the
// running kernel: hosts are network namespaces, cables are veth pairs, and each agent
// is a process of its own.
package heartbeat
