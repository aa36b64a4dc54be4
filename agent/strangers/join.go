package strangers

import (
	"strings"
	"time"

	"cassini/model"
)

// disputed is how soon an address must go back to where it was for two machines to
// be claiming it; a failover is not back within it. While they go on it is not told
// again for as long.
const disputed = time.Minute

// joinSeen does not believe what the kernel had from before where something else was told.
func joinSeen(before, met model.Seen, now time.Time) (_ model.Seen, quiet bool) {
	if met.Unconfirmed {
		return before, false
	}
	met.By, met.FirstSeen, met.Conflict = before.By, before.FirstSeen, before.Conflict
	met.Router = met.Router || before.Router && met.MAC == before.MAC
	if met.MAC == before.MAC {
		met.Changed, met.Before = before.Changed, before.Before
		return met, false
	}
	met.Before = before.MAC
	if met.MAC == before.Before && now.Sub(before.Changed) < disputed && now.Sub(before.Conflict) > disputed {
		met.Conflict = now.UTC()
	}
	return met, before.Conflict == met.Conflict && now.Sub(met.Conflict) <= disputed
}

// pxeClient begins the vendor class of firmware (Preboot Execution Environment
// specification 2.1, 2.2.3).
const pxeClient = "PXEClient"

// joinClient completes what a client said with what it said before. Firmware asks
// before the system that it starts does, so that what names the system wins.
func joinClient(before, asked model.DHCP, _ time.Time) (_ model.DHCP, quiet bool) {
	if asked.PXE && before.VendorClass != "" && !strings.HasPrefix(before.VendorClass, pxeClient) {
		asked.VendorClass = ""
	}
	asked.PXE = asked.PXE || before.PXE
	for _, field := range []struct{ now, before *string }{{&asked.HostName, &before.HostName}, {&asked.VendorClass, &before.VendorClass}} {
		if *field.now == "" {
			*field.now = *field.before
		}
	}
	if !asked.Addr.IsValid() {
		asked.Addr = before.Addr
	}
	if !asked.Server.IsValid() {
		asked.Server = before.Server
	}
	changed := asked.Changed
	asked.FirstSeen, asked.Changed = before.FirstSeen, before.Changed
	if asked != before {
		asked.Changed = changed
	}
	return asked, false
}

func joinServer(before, _ model.DHCPServer, _ time.Time) (_ model.DHCPServer, quiet bool) {
	return before, false
}

func joinForwarding(before, learned model.Forwarding, _ time.Time) (_ model.Forwarding, quiet bool) {
	learned.FirstSeen = before.FirstSeen
	if learned.Port == before.Port {
		return before, false
	}
	learned.Before = before.Port
	return learned, false
}
