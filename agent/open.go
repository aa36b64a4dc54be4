package agent

import (
	"net/netip"

	"cassini/agent/frames"
	"cassini/agent/frames/overhear"
	"cassini/agent/frames/socket"
	"cassini/agent/names"
	dns "cassini/agent/names/socket"
	"cassini/agent/netns"
	"cassini/agent/translate"
	"cassini/agent/translate/conntrack"
	"cassini/bpf"
)

// openFrames opens sockets for discovery frames in a network namespace.
func openFrames(ns netns.Namespace) (frames.Socket, error) {
	filter, err := bpf.OpenFrames()
	if err != nil {
		return nil, err
	}
	return socket.Open(filter, ns.Do)
}

// openAnnouncements opens sockets for what machines tell everyone.
func openAnnouncements(ns netns.Namespace) (overhear.Socket, error) {
	filter, err := bpf.OpenAnnouncements()
	if err != nil {
		return nil, err
	}
	return socket.OpenAnnouncements(filter, ns.Do)
}

// openAnswers opens the socket for answers of a name server in a network namespace.
func openAnswers(ns netns.Namespace, server netip.Addr) (names.Socket, error) {
	return dns.Open(server, ns.Do)
}

// openConntrack subscribes to translated connections in a network namespace.
func openConntrack(ns netns.Namespace) (translate.Socket, error) { return conntrack.Open(ns.Do) }
