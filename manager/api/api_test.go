package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"cassini/model"
	"cassini/model/delivery"
)

func TestProblems(t *testing.T) {
	h := handler(filled(t))
	for target, want := range map[string]struct {
		status int
		text   string
	}{
		"/api/v1/services?foo=1":                         {400, `"foo": allowed are host, state, program, proto, at`},
		"/api/v1/services?state=odd":                     {400, "want one of listening, ended"},
		"/api/v1/services?at=yesterday":                  {400, "want a time such as 2026-"},
		"/api/v1/services?at=2026-11-21T00:00:00Z":       {400, "in the future"},
		"/api/v1/services?host=a&host=b":                 {400, "2 times"},
		"/api/v1/services?a=%zz":                         {400, "cannot be read"},
		"/api/v1/status?x=1":                             {400, "none is allowed here"},
		"/api/v1/history":                                {400, `"host" is missing`},
		"/api/v1/history?host=h&limit=0":                 {400, "from 1 to"},
		"/api/v1/dependencies?of=x&depth=65":             {400, "from 1 to 64"},
		"/api/v1/dependencies?of=service:wob/nginx:8080": {404, "did you mean service:web-17/nginx:8080?"},
		"/api/v1/reach?of=service:wob/nginx:8080":        {404, "did you mean service:web-17/nginx:8080?"},
		"/api/v1/node?id=zzz":                            {404, `no node "zzz"`},
		"/api/v1/graph?kind=hosts":                       {400, "unknown-host, interface"},
		"/api/v1/nothing":                                {404, "openapi.json"},
		"/nothing":                                       {404, "nothing at /nothing"},
	} {
		wantProblem(t, do(h, "GET", target, ""), want.status, want.text)
	}
	wantProblem(t, do(h, "DELETE", "/api/v1/documents", ""), 405, "only POST, GET")
	wantProblem(t, do(h, "POST", "/api/v1/graph", ""), 405, "only GET")
}

func TestSecurity(t *testing.T) {
	h := handler(filled(t))
	for host, ok := range map[string]bool{
		"127.0.0.1:1984": true, "localhost": true, "LOCALHOST.:1984": true, "[::1]:1984": true, "::1": true, "10.0.0.1": true,
		"evil.example": false, "evil.example:1984": false, "localhost.evil.example": false, "": false,
	} {
		w := do(h, "GET", "/api/v1/services", "", func(r *http.Request) { r.Host = host })
		if ok != (w.Code == 200) {
			t.Errorf("Host %q: %d", host, w.Code)
		}
	}
	wantProblem(t, do(h, "POST", "/api/v1/documents", "{}", header("Origin", "null")), 403, "web pages")
	w := do(h, "GET", "/", "")
	if w.Code != 200 || !strings.Contains(w.Body.String(), "/api/v1/graph") || w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Content-Security-Policy") == "" {
		t.Errorf("landing page: %d %v", w.Code, w.Header())
	}
}

func TestPostDocuments(t *testing.T) {
	b := newBackend()
	h := handler(b)
	good := `{"host":"h","documents":[{"host":"h","package":"p","key":"k","time":"2026-11-20T19:00:00Z","body":{}}]}`
	w := do(h, "POST", "/api/v1/documents", good, header("Cassini-Agent-Url", "http://127.0.0.1:1985"))
	if w.Code != 200 || w.Body.String() != "{\"accepted\":1}\n" || len(b.agents) != 1 || b.agents[0] != "h http://127.0.0.1:1985" {
		t.Errorf("got %d %s, agents %v", w.Code, w.Body, b.agents)
	}
	for body, want := range map[string]struct {
		status int
		text   string
	}{
		"":                           {400, "unexpected end"},
		`{"host":"h"} trailing`:      {400, "after top-level"},
		`{"documents":[]}`:           {400, `"host" is missing`},
		`{"host":"h","documents":1}`: {400, "not the JSON"},
		strings.ReplaceAll(good, `[{"host":"h"`, `[{"host":"x"`):                               {400, `document 1 of 1 ("p.x.k") is of host "x"`},
		strings.ReplaceAll(good, `"p"`, `""`):                                                  {400, "package is missing"},
		`{"host":"h","documents":[` + strings.Repeat(`{},`, delivery.MaxDocuments) + `{}]}`:    {413, "at most 10000"},
		`{"host":"h","documents":[{"key":"` + strings.Repeat("x", maxBody) + `","host":"h"}]}`: {413, "too large"},
	} {
		wantProblem(t, do(h, "POST", "/api/v1/documents", body), want.status, want.text)
	}
	wantProblem(t, do(h, "POST", "/api/v1/documents", good, header("Content-Type", "text/plain")), 415, "application/json")
	wantProblem(t, do(h, "POST", "/api/v1/documents", good, header("Cassini-Agent-Url", "http://evil/")), 400, "Cassini-Agent-Url")
	b.err = errors.New("no space left")
	w = do(h, "POST", "/api/v1/documents", good)
	wantProblem(t, w, 503, "no space left")
	if w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestReadiness(t *testing.T) {
	b := filled(t)
	h := handler(b)
	b.replayed, b.ready = false, errors.New("the agent has not bootstrapped")
	wantProblem(t, do(h, "GET", "/-/ready", ""), 503, "bootstrapped")
	wantProblem(t, do(h, "GET", "/api/v1/services", ""), 503, "replayed")
	for _, target := range []string{"/-/healthy", "/api/v1/status", "/metrics", "/api/v1/openapi.json"} {
		if w := do(h, "GET", target, ""); w.Code != 200 {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
	b.replayed, b.ready = true, nil
	if w := do(h, "GET", "/-/ready", ""); w.Code != 200 {
		t.Errorf("ready: %d", w.Code)
	}
}

func TestRefreshesBeforeItAnswers(t *testing.T) {
	b := filled(t)
	h := handler(b)
	do(h, "GET", "/api/v1/services?host=web-17", "")
	do(h, "GET", "/api/v1/graph", "")
	do(h, "GET", "/api/v1/graph?at=2026-11-20T19:00:00Z", "")                       // the past has no news
	do(h, "GET", "/api/v1/documents?host=web-17", "", header(delivery.Header, "2")) // an agent that starts could not answer
	do(h, "GET", "/api/v1/events", "")
	do(h, "GET", "/metrics", "")
	if want := []string{"web-17", "", ""}; !slices.Equal(b.asked, want) {
		t.Errorf("refreshed %q, want %q", b.asked, want)
	}
	b.stale = errors.New("web-17: no answer\nweb-18: ü")
	w := do(h, "GET", "/api/v1/dependencies", "")
	if got := w.Header().Get("Cassini-Stale"); w.Code != 200 || got != "web-17: no answer; web-18: ?" {
		t.Errorf("%d, stale %q", w.Code, got)
	}
}

func TestAnswers(t *testing.T) {
	h := handler(filled(t))
	count := func(target string, want int) {
		t.Helper()
		var list []json.RawMessage
		w := do(h, "GET", target, "")
		if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list) != want {
			t.Errorf("%s: %d elements, want %d: %v\n%s", target, len(list), want, err, w.Body)
		}
	}
	count("/api/v1/services", 1)
	count("/api/v1/services?state=ended", 0)
	count("/api/v1/dependencies", 2)
	count("/api/v1/dependencies?of=service:web-17/nginx:8080&direction=up", 1)
	count("/api/v1/dependencies?of=service:web-17/nginx:8080", 0)
	count("/api/v1/dependencies?of=process:web-17/usr/bin/curl&direction=both&depth=3", 2)
	count("/api/v1/reach?of=process:web-17/usr/bin/curl&direction=both&depth=3", 2)
	count("/api/v1/reach?of=service:web-17/nginx:8080", 0)
	count("/api/v1/nodes?kind=service,host", 3)
	count("/api/v1/nodes?kind=service&kind=host&limit=2", 2)
	count("/api/v1/edges?kind=depends_on", 2)
	count("/api/v1/history?host=web-17&limit=2", 2)
	count("/api/v1/events", 5)
	count("/api/v1/events?kind=dependency.new,dependency.failing&limit=2", 2)
	count("/api/v1/services?at=2026-11-20T19:00:00Z", 0)

	var part model.Graph
	w := do(h, "GET", "/api/v1/graph?kind=depends_on", "")
	if err := json.Unmarshal(w.Body.Bytes(), &part); err != nil || len(part.Edges) != 2 || len(part.Nodes) != 3 {
		t.Errorf("%v: %s", err, w.Body)
	}
}

func FuzzParams(f *testing.F) {
	f.Add(0, "host=a&at=2026-11-20T19:00:00Z")
	f.Add(3, "kind=service,host&limit=5&q=%zz")
	routes := (&server{}).table()
	f.Fuzz(func(t *testing.T, i int, query string) {
		r := routes[uint(i)%uint(len(routes))]
		p, err := r.parse(query, now)
		if err != nil {
			return
		}
		if p.at().After(now) {
			t.Errorf("%q asks for the future", query)
		}
		for _, d := range r.params {
			if n, ok := p.numbers[d.name]; ok && n != d.def && (n < d.low || n > d.high) {
				t.Errorf("%q: %s is %d", query, d.name, n)
			}
			if d.required && p.get(d.name) == "" {
				t.Errorf("%q: %s is missing", query, d.name)
			}
		}
	})
}

func FuzzDocumentsBody(f *testing.F) {
	f.Add([]byte(`{"host":"h","documents":[{"host":"h","package":"p","key":"k","time":"2026-11-20T19:00:00Z","body":{}}]}`))
	f.Add([]byte(`{"host":"h","incarnation":1,"sequence":1,"documents":[null]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		body, err := delivery.Decode(raw)
		if err != nil || checkBatch(model.Batch{Host: body.Host, Documents: body.Documents}, (&server{}).tenants()) != nil {
			return
		}
		for _, d := range body.Documents {
			if d.Host != body.Host || d.Host == "" {
				t.Errorf("%q: document of host %q in a body of %q", raw, d.Host, body.Host)
			}
		}
	})
}
