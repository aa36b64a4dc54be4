package capture

import (
	"net/netip"
	"testing"

	"cassini/model"

	"golang.org/x/sys/unix"
)

// Peers of SCTP at one link-local address on two links are two, on either side.
func TestLinkLocalPeersOfSCTP(t *testing.T) {
	r := startSCTP(t)
	inCables(t, func() {
		for _, cable := range cables {
			server, port := sctpListen(t, unix.SOCK_STREAM, farEnd.WithZone(cable+farSuffix).String())
			client := sctpSocket(t, unix.AF_INET6, unix.SOCK_STREAM)
			if err := unix.Bind(client, sockaddr(netip.AddrPortFrom(nearEnd.WithZone(cable+nearSuffix), 0))); err != nil {
				t.Fatal(err)
			}
			sctpSend(t, client, unix.SOCK_STREAM, netip.AddrPortFrom(farEnd.WithZone(cable+nearSuffix), port))
			for _, end := range []model.Direction{model.Out, model.In} {
				r.onCable("sctp", cable, end, port, func(d model.Dependency) bool { return d.Connections == 1 })
			}
			closeFD(t, client)
			closeFD(t, server)
		}
	})
}
