package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// netboxServer is a NetBox of one device, web-1, with eth0 in port 7 of sw-1.
func netboxServer(t *testing.T) string {
	t.Helper()
	lists := map[string]string{
		"/nb/api/dcim/devices/":    `{"id":1,"name":"web-1","status":{"value":"active"}}`,
		"/nb/api/dcim/interfaces/": `{"name":"eth0","device":{"id":1},"enabled":true,"mtu":9000,"connected_endpoints":[{"name":"7","device":{"name":"sw-1"}}]}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Token secret" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		list := lists[r.URL.Path]
		if site := r.URL.Query().Get("site"); site != "" && site != "ams1" {
			list = ""
		}
		_, _ = io.WriteString(w, `{"next":null,"results":[`+list+`]}`)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/nb"
}

// netboxAPI is a manager that sees web-1, and its cable in another port.
func netboxAPI(t *testing.T) string {
	t.Helper()
	answers := map[string]string{
		"/api/v1/nodes":      `[{"id":"host:web-1","kind":"host"}]`,
		"/api/v1/interfaces": `[{"host":"web-1","name":"eth0","kind":"device","mtu":1500,"up":true,"state":"present"}]`,
		"/api/v1/switches":   `[{"id":"switch:1","name":"sw-1"}]`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		answer := answers[r.URL.Path]
		if r.URL.Path == "/api/v1/wiring" {
			plan, _ := io.ReadAll(r.Body)
			answer = `{"cables":[]}`
			if strings.Contains(string(plan), "web-1,eth0,sw-1,7") {
				answer = `{"cables":[{"host":"web-1","interface":"eth0","state":"wrong-port","expected":{"switch":"sw-1","port":"7"},"actual":{"switch":"sw-1","port":"8"}},{"host":"web-1","interface":"eth1","state":"right"}]}`
			}
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestNetBox(t *testing.T) {
	at := netboxServer(t)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		"differences": {[]string{"--netbox-url", at, "--netbox-token-file", token, "--filter", "site=ams1"}, 1,
			"machines in NetBox: 1, differences: 1, cables not as in NetBox: 1 (nothing was written)\n" +
				"WHERE       WHAT               NETBOX  SEEN    NOTE\n" +
				"web-1/eth0  mtu                9000    1500\n" +
				"web-1/eth0  cable: wrong port  sw-1 7  sw-1 8\n", ""},
		"json":        {[]string{"--netbox-url", at, "--netbox-token-file", token, "-o", "json"}, 1, `"kind": "mtu"`, ""},
		"filtered":    {[]string{"--netbox-url", at, "--netbox-token-file", token, "--filter", "site=fra2"}, 1, "NetBox has no device and no virtual machine of that name", ""},
		"no token":    {[]string{"--netbox-url", at}, 1, "", "name a file with a token that may read devices"},
		"no file":     {[]string{"--netbox-url", at, "--netbox-token-file", token + "x"}, 2, "", "--netbox-token-file: open"},
		"no URL":      {nil, 2, "", "want --netbox-url URL"},
		"bad URL":     {[]string{"--netbox-url", "netbox"}, 2, "", "want a URL such as"},
		"bad filter":  {[]string{"--netbox-url", at, "--filter", "ams1"}, 2, "", "want parameter=value"},
		"not NetBox":  {[]string{"--netbox-url", netboxAPI(t)}, 1, "", "is http"},
		"other host":  {[]string{"--netbox-url", at, "--netbox-token-file", token, "--host", "db-7"}, 1, "", "no agent reports from a host db-7"},
		"one host":    {[]string{"--netbox-url", at, "--netbox-token-file", token, "--host", "web-1"}, 1, "differences: 1, cables", ""},
		"not running": {[]string{"--netbox-url", "http://127.0.0.1:1"}, 1, "", "ask NetBox"},
	} {
		t.Run(name, func(t *testing.T) {
			got := cassini(t, map[string]string{"CASSINI_API": netboxAPI(t)}, append([]string{"netbox"}, tc.args...)...)
			if got.code != tc.code || !strings.Contains(got.stdout, tc.stdout) || !strings.Contains(got.stderr, tc.stderr) {
				t.Errorf("exit code %d, stdout\n%s\nstderr %s", got.code, got.stdout, got.stderr)
			}
		})
	}
}
