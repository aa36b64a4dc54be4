package enroll

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cassini/model"
	"cassini/tools/testca"

	"golang.org/x/sys/unix"
)

// company is an authority that is not the manager's, and has keys of another kind.
type company struct {
	*testca.Authority
	t   *testing.T
	dir string
}

func newCompany(t *testing.T) *company {
	t.Helper()
	c := &company{testca.New(t, testca.Config{P256: true}), t, t.TempDir()}
	c.Write(c.path("ca.crt"))
	return c
}

func (c *company) path(name string) string { return filepath.Join(c.dir, name) }

// agent gives a certificate with a URI, in files of a name.
func (c *company) agent(name, uri string) {
	c.t.Helper()
	u, err := url.Parse(uri)
	if err != nil {
		c.t.Fatal(err)
	}
	c.WriteGiven(c.dir, name, c.Give(&x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, URIs: []*url.URL{u}}))
}

// shows has a machine show a certificate of another authority.
func (m machine) shows(c *company, name string) machine {
	m.shown = []string{"--tls-cert", c.path(name + ".crt"), "--tls-key", c.path(name + ".key"), "--tls-ca", filepath.Join(m.r.data(manager), "ca.crt")}
	return m
}

// refusedAt waits until there is one open incident about a host whose certificate another machine
// shows, which says where that is and what to do.
func (r *rig) refusedAt(host, at, dmi string) (id string) {
	r.t.Helper()
	addr := ""
	for _, h := range r.estate.Hosts() {
		if h.Name == at {
			addr = h.Addr.String()
		}
	}
	r.wait("the clone is an incident", func() error {
		list, err := r.incidents()
		if err == nil && (len(list) != 1 || list[0].Cause != model.HostID(host)) {
			err = fmt.Errorf("open are %+v", list)
		}
		if err == nil && !(strings.Contains(list[0].Summary, "the certificate of "+host) && strings.Contains(list[0].Summary, "at "+addr+", DMI UUID "+dmi) && strings.Contains(list[0].Action, "give that machine one of its own")) {
			r.t.Fatalf("it says %+v", list[0])
		}
		if err == nil {
			id = list[0].ID
		}
		return err
	})
	return id
}

// TestClonesOutside: a machine is cloned whose certificate another authority gave, which names
// hosts. The clone waits and says nothing, under any name; a person is told, once, until it has
// a certificate of its own.
func TestClonesOutside(t *testing.T) {
	for name, form := range map[string]string{"by files": "cassini://agent/{host}", "by SPIFFE": "spiffe://example.org/agent/{host}"} {
		t.Run(name, func(t *testing.T) {
			c := newCompany(t)
			config := "tls-client-ca: " + c.path("ca.crt") + "\n"
			if strings.HasPrefix(form, "spiffe:") {
				config += "tls-client-id: " + form + "\n"
			}
			for _, host := range []string{"web-1", "db-1", "web-9"} {
				c.agent(host, strings.Replace(form, "{host}", host, 1))
			}
			r := newRig(t, 3, config)
			r.viewer = r.token("--role", "viewer")
			original := machine{r: r, at: "s1-h1", name: "web-1", id: "a", dmi: "dmi-1"}.shows(c, "web-1")
			other := machine{r: r, at: "s1-h3", name: "db-1", id: "c", dmi: "dmi-3"}.shows(c, "db-1")
			for _, m := range []machine{original, other} {
				if err := os.MkdirAll(r.data(m.at), 0o700); err != nil {
					t.Fatal(err)
				}
				m.start()
			}
			r.up(nil, "db-1", "web-1")
			life := r.lives["web-1"]

			clone := original.clone("s1-h2", "dmi-2", "later")
			clone.start()
			id := r.refusedAt("web-1", "s1-h2", "dmi-2")
			if log := r.log("s1-h2"); !strings.Contains(log, "it waits, and says nothing until then") || strings.Contains(log, "on rings") {
				t.Errorf("the clone says %s", log)
			}
			r.stop(manager, unix.SIGKILL)
			r.startManager()
			r.wait("it asks again", func() error {
				if n := strings.Count(r.log(manager), "another machine runs with a copy"); n < 2 {
					return fmt.Errorf("it did %d times", n)
				}
				return nil
			})
			if again := r.refusedAt("web-1", "s1-h2", "dmi-2"); again != id {
				t.Errorf("it is incident %s, and was %s", again, id)
			}
			r.up(nil, "db-1", "web-1")
			if r.lives["web-1"] != life {
				t.Errorf("the original began anew: life %d, and %d before", r.lives["web-1"], life)
			}

			// Somebody follows the advice, but for the data directory.
			r.stop("s1-h2", unix.SIGTERM)
			clone.name = "web-9"
			clone.shows(c, "web-9").start()
			r.up(nil, "db-1", "web-1", "web-9")
			r.wait("the incident is over", func() error {
				if list, err := r.incidents(); err != nil || len(list) > 0 {
					return errors.Join(err, fmt.Errorf("open are %+v", list))
				}
				return nil
			})
			r.alone("web-1", "dmi-1")
			r.alone("web-9", "dmi-2")
		})
	}
}
