package enroll

import "time"

// TokenOrder asks for a token by the API, or for a certificate.
type TokenOrder struct {
	Role  Role   `json:"role"`
	Label string `json:"label,omitempty"`
	// Labels are what hosts get which join by it: see Record.
	Labels map[string]string `json:"labels,omitempty"`
	Host   string            `json:"host,omitempty"`
	// Tenant is whose hosts join by it, or whose are seen by it.
	Tenant      string `json:"tenant,omitempty"`
	LifeSeconds int64  `json:"life_seconds,omitempty"` // 0: as TokenRequest has it
	Limit       int    `json:"limit,omitempty"`
	// Request is a certificate request in PEM: then a certificate is made instead.
	Request string `json:"request,omitempty"`
}

// TokenMade is the answer: the only one that has the token itself, or the certificate.
type TokenMade struct {
	Text string `json:"text,omitempty"`
	Certified
	Token
}

// Make does what an order asks for. Errors are those of CreateToken and Certify.
func (a *Authority) Make(o TokenOrder, now time.Time) (made TokenMade, err error) {
	const most = int64(1<<62) / int64(time.Second)
	r := TokenRequest{
		Role: o.Role, Label: o.Label, Labels: o.Labels, Host: o.Host, Tenant: o.Tenant, Limit: o.Limit,
		Life: time.Duration(min(max(o.LifeSeconds, -1), most)) * time.Second,
	}
	if o.Request != "" {
		made.Certified, made.Token, err = a.Certify(r, o.Request, now)
	} else {
		made.Text, made.Token, err = a.CreateToken(r, now)
	}
	return made, err
}
