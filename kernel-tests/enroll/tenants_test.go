package enroll

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"cassini/model"
)

// TestRingsOfTenants has hosts of two tenants behind one switch: each hears of its own tenant's
// alone. One becomes the other's, and is heard and told no more where it was.
func TestRingsOfTenants(t *testing.T) {
	r := newRig(t, 4, "")
	for host, tenant := range map[string]string{"s1-h1": "red", "s1-h2": "red", "s1-h3": "blue", "s1-h4": "blue"} {
		if err := r.join(host, r.token("--role", "agent", "--tenant", tenant)); err != nil {
			t.Fatal(err)
		}
		r.startAgent(host)
	}
	r.wait("a ring of each tenant", func() error { return r.tenants("blue: s1-h3 s1-h4", "red: s1-h1 s1-h2") })
	r.wait("each knows its neighbor, and nobody else", func() error { return r.knows("s1-h1 s1-h2", "s1-h3 s1-h4") })

	r.stop("s1-h2", unix.SIGTERM)
	if err := r.join("s1-h2", r.token("--role", "agent", "--tenant", "blue", "--host", "s1-h2")); err != nil {
		t.Fatal(err)
	}
	r.startAgent("s1-h2")
	r.wait("one is the other tenant's", func() error { return r.tenants("blue: s1-h2 s1-h3 s1-h4", "red: s1-h1") })
	r.wait("those of the new tenant know it, and the other nobody", func() error { return r.knows("s1-h1", "s1-h2 s1-h3 s1-h4") })
}

// tenants says why rings are not whole, with these hosts of these tenants.
func (r *rig) tenants(want ...string) error {
	list, err := rings(r.admin("rings", "-o", "json"))
	if err != nil {
		return err
	}
	var got []string
	for _, ring := range list {
		var names []string
		for _, m := range ring.Members {
			names = append(names, m.Host)
		}
		slices.Sort(names)
		if got = append(got, ring.Tenant+": "+strings.Join(names, " ")); ring.State != model.RingWhole {
			return fmt.Errorf("a ring is not whole: %+v", ring)
		}
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		return fmt.Errorf("got %q, want %q", got, want)
	}
	return nil
}

// knows says who does not know all of its group as neighbors, or knows somebody else.
func (r *rig) knows(groups ...string) error {
	for _, group := range groups {
		for host := range strings.FieldsSeq(group) {
			known, err := os.ReadFile(filepath.Join(r.data(host), "rings.json"))
			if err != nil {
				return err
			}
			for _, other := range []string{"s1-h1", "s1-h2", "s1-h3", "s1-h4"} {
				named := strings.Contains(string(known), `"`+other+`"`)
				if other != host && named != slices.Contains(strings.Fields(group), other) {
					return fmt.Errorf("%s knows of %s: %v", host, other, named)
				}
			}
		}
	}
	return nil
}
