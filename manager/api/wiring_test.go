package api

import (
	"encoding/json"
	"strings"
	"testing"

	"cassini/model"
)

// wired has one cable of web-17.
func wired(t *testing.T) *backend {
	t.Helper()
	b := filled(t)
	put := func(pkg, key string, body any) {
		doc, err := model.NewDocument(model.Name{Host: "web-17", Package: pkg, Key: key}, now, body)
		if err == nil {
			err = b.Accept(t.Context(), []model.Document{doc})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	card := model.Interface{Name: "eth0", Kind: "device", Address: "3c:fd:fe:00:00:01", MTU: 1500, Up: true, Carrier: 1, State: model.InterfacePresent}
	put(model.PackageNetConfig, card.Key(), card)
	n := model.Neighbor{Interface: "eth0", State: model.NeighborPresent, FirstSeen: now, Discovery: model.Discovery{Protocol: model.LLDP, TTL: 120, SystemName: "core-1",
		Chassis: model.PortID{Kind: "mac", ID: "00:1b:fc:00:00:0a"}, Port: model.PortID{Kind: "ifname", ID: "Gi1/0/7"}}}
	put(model.PackageNeighbors, n.Key(), n)
	return b
}

func TestWiring(t *testing.T) {
	h := handler(wired(t))
	w := do(h, "GET", "/api/v1/wiring?format=csv", "")
	const csv = "host,interface,switch,port\nweb-17,eth0,core-1,Gi1/0/7\n"
	if w.Code != 200 || w.Body.String() != csv || w.Header().Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
	}
	text := header("Content-Type", "text/csv")
	for plan, want := range map[string]string{
		csv: `"right":1`,
		strings.Replace(csv, "Gi1/0/7", "Gi1/0/8", 1): `{"host":"web-17","interface":"eth0","state":"wrong-port","expected":{"switch":"core-1","port":"Gi1/0/8"},"actual":{"switch":"core-1","port":"Gi1/0/7"},"line":2}`,
		"host,interface,switch,port\nx,eth0,a,b\n":    `"unplanned":1`,
	} {
		w := do(h, "POST", "/api/v1/wiring", plan, text)
		if w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s, want %s", plan, w.Code, w.Body, want)
		}
	}
	if w := do(h, "POST", "/api/v1/wiring?partial=true", "host,interface,switch,port\nx,eth0,a,b\n", text); !strings.Contains(w.Body.String(), `"unplanned":0`) {
		t.Errorf("of a partial plan: %s", w.Body)
	}
	const lldpcli = `{"lldp":[{"interface":[{"name":"eth0","via":"LLDP","chassis":[{"name":[{"value":"core-1"}]}],"port":[{"id":[{"type":"ifname","value":"Gi1/0/7"}]}]}]}]}`
	if w := do(h, "POST", "/api/v1/wiring?host=web-17", lldpcli); w.Code != 200 || !strings.Contains(w.Body.String(), `"right":1`) {
		t.Errorf("of lldpcli: %d %s", w.Code, w.Body)
	}
	wantProblem(t, do(h, "POST", "/api/v1/wiring", lldpcli), 400, "name the host")
	wantProblem(t, do(h, "POST", "/api/v1/wiring", "a,b\n", text), 400, "must name the columns")
	wantProblem(t, do(h, "POST", "/api/v1/wiring", "a,b\n", header("Content-Type", "text/plain")), 415, "text/csv")
	wantProblem(t, do(h, "POST", "/api/v1/wiring", strings.Repeat("x", 17<<20), text), 413, "too large")
	s := spec(t)
	for method, body := range map[string]string{"get": "", "post": csv} {
		var v any
		if err := json.Unmarshal(do(h, strings.ToUpper(method), "/api/v1/wiring", body, text).Body.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		for _, e := range check(s, at(s, "paths", "/api/v1/wiring", method, "responses", "200", "content", "application/json", "schema"), v, method) {
			t.Error(e)
		}
	}
}
