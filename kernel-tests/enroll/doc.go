// Package enroll tests who may speak to a manager that others can reach: real agents and
// a manager in network namespaces, joining, renewing, revoked, and impostors. Of clones, changed
// parts, migration and snapshots there are tests with virtual machines, too (TestMachines*): they
// have cards and boards of their own, which namespaces of one machine have not.
package enroll
