package netbox

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"cassini/model"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server answers as NetBox 4.2 does, from testdata, two objects a page.
func server(t *testing.T) (at *Client, asked *[]string) {
	t.Helper()
	asked = new([]string)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL.RequestURI()+" "+r.Header.Get("Authorization"))
		name := strings.ReplaceAll(strings.Trim(r.URL.Path, "/"), "/", "-") + "-" + r.URL.Query().Get("offset") + ".json"
		page, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			http.Error(w, `{"detail":"Not found."}`, http.StatusNotFound)
			return
		}
		_, _ = w.Write(page)
	}))
	t.Cleanup(s.Close)
	base, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &Client{URL: base, Token: "abc", HTTP: s.Client()}, asked
}

func TestRead(t *testing.T) {
	c, asked := server(t)
	v, err := c.Read(t.Context(), url.Values{"site": {"ams1"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []*Machine{
		{Name: "db-1", Virtual: true, Status: "planned", Interfaces: map[string]*Interface{"ens3": {Enabled: true}}},
		{Name: "sw-1", Status: "active", Interfaces: map[string]*Interface{}},
		{Name: "web-1.example.com", Status: "active", Interfaces: map[string]*Interface{
			"eth0": {MAC: "02:00:00:00:00:01", MTU: 9000, Enabled: true, Addresses: []netip.Prefix{netip.MustParsePrefix("10.0.0.5/24")}, Far: &End{"sw-1", "Ethernet7"}},
			"eth1": {},
		}},
	}
	if !reflect.DeepEqual(v.Machines, want) {
		got, _ := json.MarshalIndent(v.Machines, "", " ")
		t.Errorf("got %s", got)
	}
	if got := v.holders[netip.MustParseAddr("10.0.0.99")]; got != "old-7 eth0" {
		t.Errorf("10.0.0.99 is at %q", got)
	}
	if got := v.Cables([]string{"web-1", "db-1"}); !reflect.DeepEqual(got, []model.PlannedCable{{Host: "web-1", Interface: "eth0", CableEnd: model.CableEnd{Switch: "sw-1", Port: "Ethernet7"}}}) {
		t.Errorf("cables are %v", got)
	}
	all := strings.Join(*asked, "\n")
	for _, want := range []string{
		"/api/dcim/devices/?exclude=config_context&limit=500&offset=0&site=ams1 Token abc", "offset=2&site=ams1",
		"/api/virtualization/virtual-machines/?exclude=config_context&limit=500&offset=0&site=ams1",
		"/api/ipam/ip-addresses/?assigned_to_interface=true&limit=500&offset=0",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("did not ask for %s:\n%s", want, all)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		answer func(http.ResponseWriter)
		want   string
	}{
		{func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"detail":"Invalid token"}`))
		}, "read NetBox's devices: NetBox answers 403 Forbidden: Invalid token: name a file with a token that may read"},
		{func(w http.ResponseWriter) { _, _ = w.Write([]byte("<html>")) }, "is http"},
		{func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) }, "NetBox answers 502 Bad Gateway"},
		{func(w http.ResponseWriter) {
			w.Header().Set("Location", "https://there/")
			w.WriteHeader(http.StatusMovedPermanently)
		}, "NetBox answers 301 Moved Permanently: is it at https://there/?"},
		{func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"results":[{"id":"x"}]}`)) }, "decode NetBox's answer"},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { tt.answer(w) }))
		base, err := url.Parse(s.URL + "/netbox")
		if err != nil {
			t.Fatal(err)
		}
		web := s.Client()
		web.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		if _, err := (&Client{URL: base, HTTP: web}).Read(t.Context(), nil); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %s", err, tt.want)
		}
		s.Close()
	}
}

// TestEndless meets a server whose lists never end.
func TestEndless(t *testing.T) {
	page := `{"next":"more","results":[` + strings.TrimSuffix(strings.Repeat("{},", 100_000), ",") + `]}`
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(page)) }))
	defer s.Close()
	base, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (&Client{URL: base, HTTP: s.Client()}).Read(t.Context(), nil); !errors.Is(err, ErrTooMany) {
		t.Errorf("got %v", err)
	}
}

func TestAuthorization(t *testing.T) {
	if a, b := authorization("0123abc"), authorization("nbt_key.secret"); a != "Token 0123abc" || b != "Bearer nbt_key.secret" {
		t.Errorf("got %q and %q", a, b)
	}
}

func TestNames(t *testing.T) {
	n := newNames([]string{"web-1", "db.ams.example.com", "mail.ams.example.com", "mail.fra.example.com"})
	for name, want := range map[string]string{
		"web-1": "web-1", "WEB-1": "web-1", "web-1.example.com": "web-1", "web-2": "",
		"db": "db.ams.example.com", "db.ams.example.com": "db.ams.example.com", "db.fra.example.com": "",
		"mail": "", "mail.fra.example.com": "mail.fra.example.com",
	} {
		if got := n.find(name); got != want {
			t.Errorf("%s is %q instead of %q", name, got, want)
		}
	}
}

func FuzzObjects(f *testing.F) {
	f.Add([]byte(`{"id":1,"name":"a","status":{"value":"active"}}`))
	f.Add([]byte(`{"device":{"id":1,"name":"a"},"name":"eth0","mac_address":null,"connected_endpoints":[{"device":null}]}`))
	f.Add([]byte(`{"address":"10.0.0.1/24","assigned_object":{"device":{"id":1,"name":"a"},"name":"eth0"}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := reading{machines: map[machineID]*Machine{{false, 1}: {Name: "a", Interfaces: map[string]*Interface{}}}, holders: map[netip.Addr]string{}}
		for _, take := range []func(json.RawMessage) error{r.machine(true), r.iface, r.address} {
			_ = take(raw) // no panic
		}
	})
}
