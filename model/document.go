package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	jsonv1 "github.com/go-json-experiment/json/v1"
)

// Limits on one document. A document beyond them is refused, never truncated.
const (
	MaxNameLength = 1024    // bytes of Host, Package or Key, each
	MaxBodySize   = 1 << 20 // bytes of Body
)

// ErrInvalidDocument marks a document that the manager refuses; the text of the
// wrapping error says which field is wrong and why.
var ErrInvalidDocument = errors.New("invalid document")

// Packages of documents: what a document is about.
const (
	PackageListeners    = "listeners"    // body Listener, key Listener.Key
	PackageDependencies = "dependencies" // body Dependency, key Dependency.Key
	PackageIdentity     = "identity"     // body Identity, key ""
	PackageOS           = "os"           // body OS, key ""
	PackageNetConfig    = "netconfig"    // body Interface, key Interface.Key
	PackageNeighbors    = "neighbors"    // body Neighbor, key Neighbor.Key
	PackageSeen         = "seen"         // body Seen, key Seen.Key
	PackageDHCP         = "dhcp"         // body DHCP, key DHCP.Key
	PackageDHCPServers  = "dhcp_servers" // body DHCPServer, key DHCPServer.Key
	PackageForwarding   = "forwarding"   // body Forwarding, key Forwarding.Key
	PackageRoutes       = "routes"       // body Route, key Route.Key
	PackageRules        = "rules"        // body Rule, key Rule.Key
	PackageContainers   = "containers"   // body Container, key Container.Key
	PackageNames        = "names"        // body Asked, key Asked.Key
	PackagePrograms     = "programs"     // body Program, key Program.Key
	PackageTranslations = "translations" // body Translation, key Translation.Key
	PackageVerdicts     = "verdicts"     // body Verdict, key "INCARNATION.SEQUENCE" of its ReportID, with "REPORTER." before when another brings it
	PackageRings        = "rings"        // body Ring, key Ring.ID; of the manager's host
	PackageAcks         = "acks"         // body Ack, key Incident.ID; of the manager's host
	PackageSilences     = "silences"     // body Silence, key Silence.ID; of the manager's host
	PackageForgotten    = "forgotten"    // no body, key "": the manager has forgotten the host, whose documents it withdrew before
	PackageLabels       = "labels"       // body HostLabels, key HostLabels.Host; of the manager's host
	PackageRefused      = "refused"      // body Refused, key Refused.Host; of the manager's host
)

// ManagerPackages are those whose documents stand under the name of the manager's host, whomever they
// are about: no agent writes them.
func ManagerPackages() []string {
	return []string{PackageAcks, PackageSilences, PackageLabels, PackageRefused, PackageRings}
}

// Name identifies one thing that one host knows.
type Name struct {
	Host    string `json:"host"`
	Package string `json:"package"`
	Key     string `json:"key,omitempty"`
}

// String joins the parts by '.', package first, as log keys do.
func (n Name) String() string {
	if n.Key == "" {
		return n.Package + "." + n.Host
	}
	return n.Package + "." + n.Host + "." + n.Key
}

// Document is JSON about one thing that one host knows. It is sent when that
// thing changes, never on a timer. A null Body says that the thing is forgotten.
type Document struct {
	Name
	// Time is when the host learned it, by the host's clock, UTC.
	Time time.Time `json:"time"`
	// Progress says that only counters moved since the document of the same
	// name before it. A store may keep fewer of these; see store.Store.
	Progress bool            `json:"progress,omitempty"`
	Body     json.RawMessage `json:"body"`
}

// NewDocument encodes body into a document.
func NewDocument(name Name, at time.Time, body any) (Document, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return Document{}, fmt.Errorf("encode document %s: %w", name, err)
	}
	return Document{Name: name, Time: at.UTC(), Body: raw}, nil
}

// Gone reports whether the document says that its thing is forgotten.
func (d Document) Gone() bool {
	return len(d.Body) == 0 || string(d.Body) == "null"
}

// Decode unmarshals the body into v, as encoding/json does, but in half the time and with a quarter
// of the memory.
func (d Document) Decode(v any) error {
	if err := jsonv1.Unmarshal(d.Body, v); err != nil {
		return fmt.Errorf("decode document %s: %w", d.Name, err)
	}
	return nil
}

// Validate checks what every document must satisfy, whatever its package.
// Errors wrap ErrInvalidDocument.
func (d Document) Validate() error {
	for _, f := range []struct {
		field, value string
		required     bool
	}{{"host", d.Host, true}, {"package", d.Package, true}, {"key", d.Key, false}} {
		if err := validateName(f.value, f.required); err != nil {
			return fmt.Errorf("%w: %s %w", ErrInvalidDocument, f.field, err)
		}
	}
	if d.Time.IsZero() {
		return fmt.Errorf("%w: time is missing", ErrInvalidDocument)
	}
	if y := d.Time.UTC().Year(); y < 1970 || y > 9999 {
		return fmt.Errorf("%w: time has year %d", ErrInvalidDocument, y)
	}
	if len(d.Body) > MaxBodySize {
		return fmt.Errorf("%w: body has %d bytes, %d are allowed", ErrInvalidDocument, len(d.Body), MaxBodySize)
	}
	if !d.Gone() && !ValidJSON(d.Body) {
		return fmt.Errorf("%w: body is not JSON", ErrInvalidDocument)
	}
	return nil
}

func validateName(s string, required bool) error {
	switch {
	case s == "" && required:
		return errors.New("is missing")
	case len(s) > MaxNameLength:
		return fmt.Errorf("has %d bytes, %d are allowed", len(s), MaxNameLength)
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }):
		return errors.New("has control or undecodable characters")
	}
	return nil
}
