package enroll

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"cassini/model"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// setAddress gives the interface of a host of the estate another hardware address while it is up.
func (r *rig) setAddress(at, address string) {
	r.t.Helper()
	mac, err := net.ParseMAC(address)
	if err == nil {
		err = r.estate.Do(at, func() error {
			link, err := netlink.LinkByName("eth0")
			if err != nil {
				return err
			}
			return netlink.LinkSetHardwareAddr(link, mac)
		})
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// kill ends an agent that sees no other machine's processes. It is a child of what the rig started,
// and ends after it.
func (m machine) kill() {
	m.r.t.Helper()
	m.r.stop(m.at, unix.SIGKILL)
	m.r.wait("its port is free", func() error {
		return m.r.estate.Do(m.at, func() error {
			l, err := net.Listen("tcp", "127.0.0.1:1985")
			if err != nil {
				return err
			}
			return l.Close()
		})
	})
}

// says waits until the newest documents of a host and a package have a text in them.
func (r *rig) says(host, pkg, text string) {
	r.t.Helper()
	r.wait(fmt.Sprintf("%s says %s of %s", host, text, pkg), func() error {
		code, body := r.ask(manager, "GET", "/api/v1/documents?package="+pkg+"&host="+url.QueryEscape(host), "", r.viewer, "")
		if code != http.StatusOK || !strings.Contains(body, text) {
			return fmt.Errorf("%d %s", code, body)
		}
		return nil
	})
}

// nothing fails if documents ever told of an incident.
func (r *rig) nothing() {
	r.t.Helper()
	out, err := r.admin("incidents", "-o", "json")
	var list []model.Incident
	if err == nil {
		err = json.Unmarshal([]byte(out), &list)
	}
	list = slices.DeleteFunc(list, func(i model.Incident) bool { return len(i.Evidence) == 0 })
	if err != nil || len(list) > 0 {
		r.t.Errorf("incidents are %+v, %v", list, err)
	}
}

// TestChangedAddress: the hardware address of a host's interface is changed, while its agent runs
// and while it does not. It is the same host, in the same life where its agent was not started
// again, and nobody is told of anything.
func TestChangedAddress(t *testing.T) {
	for name, config := range map[string]string{"by certificate": "", "without TLS": "insecure: true\n"} {
		t.Run(name, func(t *testing.T) {
			r, m := pair(newRig(t, 3, config), machine{at: "s1-h1", name: "web-1", id: "a", dmi: "dmi-1", full: true})
			r.says("web-1", model.PackageNetConfig, `"eth0"`)
			life := r.lives["web-1"]

			const running, stopped = "02:00:00:00:77:01", "02:00:00:00:77:02"
			r.setAddress("s1-h1", running)
			r.says("web-1", model.PackageNetConfig, running)
			r.says("db-1", model.PackageSeen, running)
			r.up(nil, "db-1", "web-1")
			if r.lives["web-1"] != life {
				t.Errorf("it began anew: life %d, and %d before", r.lives["web-1"], life)
			}
			r.nothing()

			m.kill()
			r.setAddress("s1-h1", stopped)
			m.start()
			m.kept("web-1", "web-1", "db-1")
			r.says("web-1", model.PackageNetConfig, stopped)
			r.says("db-1", model.PackageSeen, stopped)
			r.alone("web-1", "dmi-1")
			r.nothing()
		})
	}
}
