// Package translate hears which connections this host translates (DNAT, SNAT, masquerading,
// redirection): which address a client dials, and which one answers. One document tells of
// each pair of client and dialled address and what becomes of it, so that the graph joins a
// client to the server behind a load balancer.
//
// The kernel's connection tracking tells; conntrack, below, has its sockets, one in each
// network namespace where addresses of links are. table.go is free of I/O. Nothing is
// asked for on a timer, and no connection tracking is switched on by this.
package translate
