package names

import (
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"cassini/agent/netns"

	"golang.org/x/sys/unix"
)

// maxResolvConf bounds what is read of a resolv.conf, in bytes.
const maxResolvConf = 64 << 10

// servers are the name servers that resolv.conf(5) tells, those of glibc and no more.
func servers(resolvConf string) (list []netip.Addr) {
	const asGlibc = 3
	for line := range strings.Lines(resolvConf) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "nameserver" || len(list) == asGlibc {
			continue
		}
		if addr, err := netip.ParseAddr(fields[1]); err == nil {
			list = append(list, addr)
		}
	}
	if list == nil { // then a name server of the host itself is asked
		list = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	}
	return list
}

// configured are the name servers of a namespace: those of this host, or of the container
// that a process in it lives in. Containers' files are theirs: nothing there is trusted.
func configured(ns netns.Namespace) []netip.Addr {
	path := "/etc/resolv.conf"
	switch {
	case ns.Name == "": // the host's own
	case ns.PID != 0:
		path = "/proc/" + strconv.Itoa(ns.PID) + "/root/etc/resolv.conf"
	default: // ip-netns(8)
		path = "/etc/netns/" + ns.Name + "/resolv.conf"
	}
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil // whom its programs ask tells
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxResolvConf))
	if err != nil {
		return nil
	}
	return servers(string(raw))
}
