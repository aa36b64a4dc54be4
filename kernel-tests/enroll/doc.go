// Package enroll tests who may speak to a manager that others can reach: real agents and
// a manager in network namespaces, joining, renewing, revoked, and impostors.
package enroll
