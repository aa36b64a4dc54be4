package bpf

import "fmt"

// openUnsent counts attempts to connect that fail before anything is sent: the tracepoint is
// told of none.
func (t *TCP) openUnsent() (*calls, error) {
	spec, replace, err := t.beside(loadUnsent)
	if err != nil {
		return nil, err
	}
	replace["dials"] = t.objs.Dials
	// What begins tcp_v4_connect and its like is needed on every kernel.
	c, err := openCalls(spec, []string{"tcp_v4_pre_connect_begins", "tcp_v6_pre_connect_begins"},
		[]string{"tcp_v4_connect_begins", "tcp_v6_connect_begins", "tcp_v4_connect_ends", "tcp_v6_connect_ends", "tcp_v4_pre_connect_ends", "tcp_v6_pre_connect_ends"},
		t.types.options(replace))
	if err != nil {
		return nil, fmt.Errorf("have programs at tcp_v4_connect and its like (trampolines may be refused, even to root): %w", err)
	}
	return c, nil
}

// Unsent tells what keeps attempts to connect from being counted that fail before anything is sent, or nil.
func (t *TCP) Unsent() error { return t.noUnsent }
