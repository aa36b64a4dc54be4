// Package estate builds a small estate of hosts and switches on this machine, for tests
// and demonstrations: every host, switch and the router between them is a network
// namespace, and every cable a veth pair. Whatever can fail in a rack can be made to fail
// here: links, ports, switches, whole segments, and datagrams by the percent.
//
//	manager 10.77.0.10 --- core --- switch N (a bridge), 10.77.N.0/24 --- hosts 10.77.N.(10+M)
//
// It needs root. Nothing is attached to the machine's own namespace, none of its
// settings change, and programs that are started here end with the process that started
// them.
package estate

//go:generate go tool bpf2go -target bpfel -cc clang -cflags "-O2 -mcpu=v3 -g -Wall -Werror -I../../bpf" -type chain dropper dropper.c
