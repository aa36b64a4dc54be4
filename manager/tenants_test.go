package manager

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"cassini/manager/enroll"
	"cassini/model"
)

// described is as much of the API's description as the walk needs.
type described struct {
	Paths map[string]map[string]struct {
		Parameters []struct {
			Name     string
			Required bool
			Schema   struct{ Enum []string }
		}
	}
}

// question is one way to ask a route.
type question struct{ method, target, media, body string }

// questions are every route of the description, with each value that a parameter is known
// to take; ids are of the asker's own.
func (e *estate) questions() (list []question) {
	e.t.Helper()
	_, text := e.ask(e.admin, "GET", "/api/v1/openapi.json", "", "")
	var d described
	if err := json.Unmarshal([]byte(text[strings.Index(text, "{"):]), &d); err != nil {
		e.t.Fatal(err)
	}
	since := e.began.UTC().Format(time.RFC3339Nano)
	values := map[string]string{"host": "red-1", "id": "host:red-1", "of": "host:red-1", "from": "host:red-1", "to": "host:red-2", "a": "red-1", "b": "red-2", "q": "e", "since": since}
	for path, methods := range d.Paths {
		for method, route := range methods {
			method = strings.ToUpper(method)
			query := url.Values{}
			for _, p := range route.Parameters {
				if value := values[p.Name]; p.Required {
					query.Set(p.Name, value)
				}
			}
			if path == "/api/v1/diff" {
				query.Set("from", since)
			}
			base := path + "?" + query.Encode()
			if method == http.MethodGet {
				list = append(list, question{method, base, "", ""})
			}
			for _, p := range route.Parameters {
				if method != http.MethodGet {
					break
				}
				for _, v := range append(p.Schema.Enum, "") {
					if v != "" && p.Name != "action" {
						list = append(list, question{method, base + "&" + p.Name + "=" + url.QueryEscape(v), "", ""})
					}
				}
				if p.Name == "at" {
					list = append(list, question{method, base + "&at=" + url.QueryEscape(time.Now().UTC().Format(time.RFC3339Nano)), "", ""})
				}
			}
		}
	}
	for _, cypher := range []string{"MATCH (n) RETURN n", "MATCH (a)-[r]->(b) RETURN a, r, b"} {
		list = append(list, question{"POST", "/api/v1/query", "application/json", fmt.Sprintf(`{"query":%q}`, cypher)})
		list = append(list, question{"POST", "/api/v1/query", "application/json", fmt.Sprintf(`{"query":%q,"at":%q}`, cypher, time.Now().UTC().Format(time.RFC3339Nano))})
	}
	for _, q := range []string{"of=documents", "of=events", "columns=host,package,key,body,log_key", "of=events&columns=host,node,summary,id", "group_by=host&aggregate=count", "of=events&group_by=host,node&aggregate=count", "from=" + url.QueryEscape(since)} {
		list = append(list, question{"GET", "/api/v1/log?" + q, "", ""})
	}
	return append(list, question{"GET", "/api/v1/events?since=0&limit=1000", "", ""}, question{"POST", "/api/v1/wiring", "text/csv", "host,interface,switch,port\nred-1,eth0,s,p\n"})
}

// found are the secrets in a text.
func found(text string) (list []string) {
	for _, s := range secrets {
		if strings.Contains(text, s) {
			list = append(list, s)
		}
	}
	return list
}

// TestTenantSeesItsOwn asks every route that is described, in every way that it describes,
// as a viewer and an operator of one tenant.
func TestTenantSeesItsOwn(t *testing.T) {
	e := newEstate(t)
	e.verdict("blue-1", "red-2", 1)
	e.verdict("red-1", "blue-2", 1)
	viewer := e.token(enroll.TokenRequest{Role: enroll.RoleViewer, Tenant: "red"})
	operator := e.token(enroll.TokenRequest{Role: enroll.RoleOperator, Tenant: "red"})
	told, answered := map[string]bool{}, 0
	list := e.questions()
	for _, q := range list {
		for _, token := range []string{viewer, operator} {
			status, text := e.ask(token, q.method, q.target, q.media, q.body)
			if leaks := found(text); leaks != nil {
				t.Errorf("%s %s: %d tells %v of another tenant:\n%.1500s", q.method, q.target, status, leaks, text)
			}
			if status == 200 {
				answered++
			}
		}
		path, _, _ := strings.Cut(q.target, "?")
		_, text := e.ask(e.admin, q.method, q.target, q.media, q.body)
		told[path] = told[path] || found(text) != nil
	}
	if answered < len(list) {
		t.Errorf("%d of %d questions are answered", answered, 2*len(list))
	}
	silent := []string{ // they have nothing of another tenant's hosts on this estate, or need no host
		"/", "/-/healthy", "/-/ready", "/api/v1/openapi.json", "/api/v1/status", "/api/v1/tokens", "/api/v1/audit", "/metrics", "/api/v1/backup", "/api/v1/routes", "/api/v1/rules", "/api/v1/ports",
		"/api/v1/switches", "/api/v1/authority", "/api/v1/versions", "/api/v1/unmonitored", "/api/v1/cycles", "/api/v1/strangers", "/api/v1/rings", "/api/v1/liveness", "/api/v1/silences", "/api/v1/alerts/receivers", "/api/v1/path", "/api/v1/history", "/api/v1/shared", "/api/v1/impact",
		"/api/v1/wiring", "/api/v1/node", "/api/v1/uplinks", "/api/v1/identities", "/api/v1/spof", "/api/v1/unused", "/api/v1/prometheus/targets", "/api/v1/cause",
		"/api/v1/hashes", "/api/v1/unknown", "/api/health", "/api/graph/fields", "/api/v1/who-talks-to", "/api/v1/service",
	}
	for path, told := range told {
		if !told && !slices.Contains(silent, path) {
			t.Errorf("%s tells an admin nothing of blue: the walk proves nothing there", path)
		}
	}
	// And what is theirs is there: their hosts, the death of one, and who is across the border by address alone.
	for target, want := range map[string]string{"/api/v1/services": "redprogram", "/api/v1/incidents": "red-2", "/api/v1/dependencies": "192.0.2.9", "/api/v1/enroll/hosts": "red-1", "/api/v1/documents": "other-", "/api/v1/events?since=0": "red-2"} {
		if _, text := e.ask(viewer, "GET", target, "", ""); !strings.Contains(text, want) {
			t.Errorf("%s has no %q: %s", target, want, text)
		}
	}
}

// TestLooksNextDoor asks about another's hosts by name.
func TestLooksNextDoor(t *testing.T) {
	e := newEstate(t)
	viewer := e.token(enroll.TokenRequest{Role: enroll.RoleViewer, Tenant: "red"})
	operator := e.token(enroll.TokenRequest{Role: enroll.RoleOperator, Tenant: "red"})
	for _, c := range []struct {
		token, method, target, body string
		want                        int
		why                         string
	}{
		{viewer, "GET", "/api/v1/services?host=blue-1", "", 403, "tenant red has no host blue-1"},
		{viewer, "GET", "/api/v1/services?host=nowhere", "", 403, "tenant red has no host nowhere"},
		{viewer, "GET", "/api/v1/services?host=red-1", "", 200, ""},
		{viewer, "GET", "/api/v1/history?host=blue-1", "", 403, "tenant red has no host"},
		{viewer, "GET", "/api/v1/impact?of=host:blue-1", "", 403, "tenant red has no host"},
		{viewer, "GET", "/api/v1/node?id=service:blue-1/blueprogram:80", "", 403, "tenant red has no host"},
		{viewer, "GET", "/api/v1/shared?a=red-1&b=blue-1", "", 403, "tenant red has no host"},
		{viewer, "GET", "/api/v1/host?host=blue-1", "", 403, "tenant red has no host"},
		{viewer, "GET", "/api/v1/host?host=red-1", "", 200, ""},
		{viewer, "GET", "/api/v1/service?id=service:blue-1/blueprogram:80", "", 403, "tenant red has no host"},
		{viewer, "GET", "/api/v1/who-talks-to?of=host:blue-1", "", 403, "tenant red has no host"},
		{viewer, "GET", "/api/v1/node?id=ip:10.9.0.1", "", 404, ""},
		{viewer, "GET", "/metrics", "", 403, "this is of the whole estate"},
		{viewer, "GET", "/api/v1/alerts/receivers", "", 403, "this is of the whole estate"},
		{viewer, "GET", "/api/v1/tokens", "", 403, "this is for role admin"},
		{viewer, "POST", "/api/v1/silences", "{}", 403, "this is for role operator"},
		{operator, "POST", "/api/v1/rings/rotate", "", 403, "this is of the whole estate"},
		{operator, "POST", "/-/reload", "", 403, "this is for role admin"},
	} {
		status, text := e.ask(c.token, c.method, c.target, "application/json", c.body)
		if status != c.want || !strings.Contains(text, c.why) {
			t.Errorf("%s %s: %d %s", c.method, c.target, status, text)
		}
	}
	if stats := e.TenantStats(); stats.Refused != 9 || stats.Kept != 1 {
		t.Errorf("counted %+v", stats)
	}
	_, text := e.ask(e.admin, "GET", "/api/v1/audit?result=refused", "", "")
	for _, want := range []string{`"who":"viewer of tenant red (token `, `"target":"blue-1"`, "tenant red has no host blue-1"} {
		if !strings.Contains(text, want) {
			t.Errorf("the audit log has no %s: %s", want, text)
		}
	}
}

// TestTenantOperates takes on an incident that another tenant's host reported, and silences
// its own.
func TestTenantOperates(t *testing.T) {
	e := newEstate(t)
	e.verdict("blue-1", "red-2", 1)
	e.verdict("red-1", "blue-2", 1)
	red := e.token(enroll.TokenRequest{Role: enroll.RoleOperator, Tenant: "red"})
	blue := e.token(enroll.TokenRequest{Role: enroll.RoleOperator, Tenant: "blue"})
	incidents := func(token string) (list []model.Incident) {
		t.Helper()
		_, text := e.ask(token, "GET", "/api/v1/incidents?open=true", "", "")
		if err := json.Unmarshal([]byte(text[strings.Index(text, "["):]), &list); err != nil {
			t.Fatal(err, text)
		}
		return slices.DeleteFunc(list, func(i model.Incident) bool { return i.Kind != model.VerdictCrashed })
	}
	mine := incidents(red)
	if len(mine) != 1 || !strings.HasPrefix(mine[0].ID, "other-") {
		t.Fatalf("got %+v", mine)
	}
	if status, text := e.ask(blue, "POST", "/api/v1/incidents/ack", "application/json", fmt.Sprintf(`{"incident":%q}`, mine[0].ID)); status != 404 {
		t.Errorf("another's: %d %s", status, text)
	}
	if status, text := e.ask(red, "POST", "/api/v1/incidents/ack", "application/json", fmt.Sprintf(`{"incident":%q,"why":"on it"}`, mine[0].ID)); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	if i := incidents(red)[0]; i.Ack == nil || i.Ack.Why != "on it" {
		t.Errorf("red sees %+v", i)
	}
	if i := incidents(blue)[0]; i.Ack != nil {
		t.Errorf("blue sees %+v", i.Ack)
	}
	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	if status, text := e.ask(red, "POST", "/api/v1/silences", "application/json", fmt.Sprintf(`{"subject":"*","until":%q,"why":"red's silence"}`, until)); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	if i := incidents(red)[0]; i.Silenced == "" {
		t.Error("red's is not silenced for red")
	}
	if i := incidents(blue)[0]; i.Silenced != "" {
		t.Error("blue's is silenced by red for blue")
	}
	for _, i := range incidents(e.admin) {
		own := i.Subjects[0] == "red-2"
		if (i.Silenced != "") != own || (i.Ack != nil) != own {
			t.Errorf("the estate has %+v", i)
		}
	}
	if _, text := e.ask(blue, "GET", "/api/v1/silences", "", ""); strings.Contains(text, "red's") {
		t.Errorf("blue sees %s", text)
	}
	if status, text := e.ask(red, "POST", "/api/v1/incidents/ack", "application/json", fmt.Sprintf(`{"incident":%q,"undo":true}`, mine[0].ID)); status != 200 || incidents(red)[0].Ack != nil {
		t.Errorf("undone: %d %s", status, text)
	}
}

// TestTenantWatches reads the stream of events, before and after a host becomes another
// tenant's.
func TestTenantWatches(t *testing.T) {
	e := newEstate(t)
	viewer := e.token(enroll.TokenRequest{Role: enroll.RoleViewer, Tenant: "red"})
	stream := func(last string) *bufio.Scanner {
		t.Helper()
		req, _ := http.NewRequestWithContext(t.Context(), "GET", e.url+"/api/v1/events", nil)
		req.Header.Set("Authorization", "Bearer "+viewer)
		req.Header.Set("Accept", "text/event-stream")
		req.Header.Set("Last-Event-ID", last)
		resp, err := e.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return bufio.NewScanner(resp.Body)
	}
	until := func(s *bufio.Scanner, want string) {
		t.Helper()
		for s.Scan() {
			if leaks := found(s.Text()); leaks != nil {
				t.Errorf("the stream tells %v: %s", leaks, s.Text())
			}
			if strings.Contains(s.Text(), want) {
				return
			}
		}
		t.Errorf("the stream ended without %q: %v", want, s.Err())
	}
	s := stream("")
	until(s, ": events")
	e.accept(listener("blue-1", "bluenews", 81, model.StateListening), listener("core-1", "corenews", 81, model.StateListening), listener("red-1", "rednews", 81, model.StateListening))
	until(s, "rednews")
	until(stream("0"), "rednews")
	e.join("blue-2", "red")
	for s.Scan() { // what was on its way; then it is cut off
		if leaks := found(strings.ReplaceAll(s.Text(), "blue-2", "")); leaks != nil {
			t.Errorf("the stream tells %v: %s", leaks, s.Text())
		}
	}
	if _, text := e.ask(viewer, "GET", "/api/v1/services", "", ""); !strings.Contains(text, "blue-2") || strings.Contains(text, "blue-1") {
		t.Errorf("after blue-2 was moved: %s", text)
	}
	if stats := e.TenantStats(); stats.Forgotten != 1 {
		t.Errorf("%+v", stats)
	}
}
