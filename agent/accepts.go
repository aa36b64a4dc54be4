package agent

import (
	"cassini/agent/capture"
	"cassini/bpf"
	"cassini/model"
)

// acceptsOf is what the capture counts accepted connections by; nil where there is nothing.
func acceptsOf(kernel opened[*bpf.Accepts]) capture.Accepts {
	if kernel.err != nil {
		return nil
	}
	return kernel.side
}

// probeAccepts attaches it for a moment.
func probeAccepts() error {
	accepts, err := bpf.OpenAccepts(nil)
	if err != nil {
		return err
	}
	return accepts.Close()
}

func acceptHook(err error) model.Hook {
	return orLost(model.Hook{Fact: "tcp accept", Hook: "tp_btf/inet_sock_set_state, SYN_RECV to ESTABLISHED; by process: fexit/inet_csk_accept", First: true},
		err, "tp_btf/inet_sock_set_state, SYN_RECV to ESTABLISHED", "which worker accepted: the listener's owner is charged")
}
