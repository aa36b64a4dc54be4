package main

import (
	"context"
	"regexp"
	"strconv"
	"strings"
)

// tcplifeTells reads PID COMM LADDR LPORT RADDR RPORT TX_KB RX_KB MS.
func tcplifeTells(_ context.Context, r *tracing, of truth) (told, error) {
	t := nothing()
	err := r.each(func(f []string) {
		if n := len(f); n >= 9 { // COMM may have spaces
			t.add(f[0], f[n-6], f[n-4], of)
		}
	})
	return t, err
}

// tcpstatesTells reads SKADDR PID COMM LADDR LPORT RADDR RPORT OLDSTATE -> NEWSTATE MS, of
// which the last state of each end counts.
func tcpstatesTells(_ context.Context, r *tracing, of truth) (told, error) {
	t := nothing()
	err := r.each(func(f []string) {
		if n := len(f); n >= 11 && f[n-2] == "CLOSE" && f[n-4] != "SYN_SENT" {
			t.add(f[1], f[n-7], f[n-5], of)
		}
	})
	return t, err
}

// scriptTells reads PID, own port and the other.
func scriptTells(_ context.Context, r *tracing, of truth) (told, error) {
	t := nothing()
	err := r.each(func(f []string) {
		if len(f) == 3 {
			t.add(f[0], f[1], f[2], of)
		}
	})
	return t, err
}

// owner finds the process in what ss says of a socket.
var owner = regexp.MustCompile(`pid=(\d+)`)

// ssTells reads State Recv-Q Send-Q Local Peer Process. A connection that is seen twice is one.
func ssTells(_ context.Context, r *tracing, of truth) (told, error) {
	t, seen := nothing(), make(map[string]bool)
	err := r.each(func(f []string) {
		if len(f) < 6 || seen[f[3]+f[4]] {
			return
		}
		seen[f[3]+f[4]] = true
		if m := owner.FindStringSubmatch(f[5]); m != nil {
			t.add(m[1], f[3][strings.LastIndexByte(f[3], ':')+1:], f[4][strings.LastIndexByte(f[4], ':')+1:], of)
		}
	})
	return t, err
}

// conntrackTells counts new connections to the port. It knows no processes.
func conntrackTells(_ context.Context, r *tracing, of truth) (told, error) {
	t, want := nothing(), "dport="+strconv.Itoa(of.port)
	err := r.each(func(f []string) {
		for _, field := range f {
			if f[0] == "[NEW]" && field == want {
				t.clients[""]++
				t.servers[""]++
				return
			}
		}
	})
	return t, err
}
