package manager

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cassini/manager/enroll"
	"cassini/model"
)

// estate is a manager with TLS and two tenants, red and blue, and a host of none.
type estate struct {
	*running
	dir    string
	client *http.Client
	admin  string
	began  time.Time // before anybody told anything
}

// secrets are what is of blue alone, or of nobody: no string of it is for red's people.
var secrets = []string{"blue-1", "blue-2", "core-1", "blueprogram", "coreprogram", "10.9.0.", "02:00:00:00:0b:", "blue's"}

func newEstate(t *testing.T, edit ...func(*Config)) *estate {
	t.Helper()
	e := &estate{dir: t.TempDir(), began: time.Now()}
	e.running = start(t, e.dir, append(edit, func(c *Config) { c.Host, c.TLS.On = "manager", true })...)
	e.url = strings.Replace(e.url, "http:", "https:", 1)
	pool := x509.NewCertPool()
	ca, err := os.ReadFile(filepath.Join(e.dir, enroll.CertFile))
	if err != nil || !pool.AppendCertsFromPEM(ca) {
		t.Fatal(err)
	}
	e.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	t.Cleanup(e.client.CloseIdleConnections)
	e.admin = e.token(enroll.TokenRequest{Role: enroll.RoleAdmin})
	for _, host := range []string{"red-1", "red-2", "blue-1", "blue-2", "core-1"} {
		tenant, _, _ := strings.Cut(host, "-")
		e.join(host, strings.TrimPrefix(tenant, "core"))
		e.tell(host)
	}
	ring := model.Ring{ID: "subnet:10.0.0.0/8", Zone: "subnet:10.0.0.0/8", Members: []model.RingMember{{Host: "red-1"}, {Host: "blue-1"}, {Host: "core-1"}, {Host: "red-2"}}}
	d, err := model.NewDocument(model.Name{Host: "manager", Package: model.PackageRings, Key: string(ring.ID)}, time.Now(), ring)
	if err != nil {
		t.Fatal(err)
	}
	e.accept(d)
	e.tellLabels(t.Context())
	return e
}

func (e *estate) token(r enroll.TokenRequest) string {
	e.t.Helper()
	text, _, err := e.enroll.CreateToken(r, time.Now())
	if err != nil {
		e.t.Fatal(err)
	}
	return text
}

func requestOf(t testing.TB) string {
	t.Helper()
	_, key, _ := ed25519.GenerateKey(rand.Reader)
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

func (e *estate) join(host, tenant string) {
	e.t.Helper()
	request := requestOf(e.t)
	if _, err := e.enroll.Join(e.token(enroll.TokenRequest{Role: enroll.RoleAgent, Tenant: tenant, Host: host, Label: tenant + "'s rack", Labels: map[string]string{"owner": tenant + "'s"}}), enroll.JoinRequest{Host: host, Request: request}, time.Now()); err != nil {
		e.t.Fatal(err)
	}
}

// tell accepts what a host might: each talks with red-1 and blue-1.
func (e *estate) tell(host string) {
	e.t.Helper()
	tenant, n, _ := strings.Cut(host, "-")
	addr := netip.MustParseAddr(map[string]string{"red": "10.1.0.", "blue": "10.9.0.", "core": "10.9.0.9"}[tenant] + n)
	mac := map[string]string{"red": "02:00:00:00:0a:0", "blue": "02:00:00:00:0b:0", "core": "02:00:00:00:0b:9"}[tenant] + n
	put := func(pkg, key string, body any) model.Document {
		d, err := model.NewDocument(model.Name{Host: host, Package: pkg, Key: key}, time.Now(), body)
		if err != nil {
			e.t.Fatal(err)
		}
		return d
	}
	i := model.Interface{Name: "eth0", Index: 2, Kind: "device", Address: mac, Up: true, OperState: "up", Carrier: 1, State: model.InterfacePresent, Addresses: map[string]model.IPConfig{addr.String() + "/24": {}}}
	d := model.Dependency{Direction: model.Out, Proto: "tcp", Process: model.Process{PID: 7, Exe: "/bin/" + tenant + "program"}, Client: addr, Server: netip.MustParseAddr("10.1.0.1"), Port: 80, Counters: model.Counters{Connections: 3}, FirstSeen: time.Now(), LastSeen: time.Now()}
	if tenant == "red" {
		d.Server = netip.MustParseAddr("192.0.2.9")
	}
	l := model.Listener{Proto: "tcp", Addr: netip.IPv4Unspecified(), Port: 443, State: model.StateListening, Since: time.Now(), Process: model.Process{PID: 1, Exe: "/bin/" + tenant + "program"}}
	exposed := put(model.PackageListeners, l.Key(), l)
	e.accept(put(model.PackageOS, "", map[string]string{"pretty_name": tenant + "'s Linux"}), put(model.PackageNetConfig, i.Key(), i), put(model.PackageDependencies, d.Key(), d), listener(host, tenant+"program", 80, model.StateListening), exposed)
}

// verdict is what a host says of another.
func (e *estate) verdict(reporter, subject string, sequence uint64) {
	e.t.Helper()
	v := model.Verdict{
		ID: model.ReportID{Reporter: reporter, Incarnation: 1, Sequence: sequence}, Kind: model.VerdictCrashed, At: time.Now(),
		Subject: model.RingMember{Host: subject}, Bridged: "blue-2",
		Evidence: model.Evidence{Observations: []model.Observation{{Observer: reporter, Sight: model.SightNothing}, {Observer: "core-1", Sight: model.SightNothing}}},
	}
	d, err := model.NewDocument(model.Name{Host: reporter, Package: model.PackageVerdicts, Key: "1." + string(rune('0'+sequence))}, time.Now(), v)
	if err != nil {
		e.t.Fatal(err)
	}
	e.accept(d)
}

// ask asks with a token, and returns the status, the headers and the body as one text.
func (e *estate) ask(token, method, target, media, body string) (int, string) {
	e.t.Helper()
	req, err := http.NewRequestWithContext(e.t.Context(), method, e.url+target, bytes.NewReader([]byte(body)))
	if err != nil {
		e.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", media)
	resp, err := e.client.Do(req)
	if err != nil {
		e.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		e.t.Fatal(err)
	}
	var headers strings.Builder
	_ = resp.Header.Write(&headers)
	return resp.StatusCode, headers.String() + string(raw)
}
