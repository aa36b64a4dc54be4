// Package netconf hears from the kernel which network interfaces there are, how
// they are set and which addresses they have, in every network namespace: by
// rtnetlink's notifications, read once at the start and again only after some were
// lost. It wakes when something changes.
//
// message.go decodes rtnetlink messages and table.go keeps what they tell, both
// without I/O; space.go is one namespace, netconf.go all of them.
package netconf
