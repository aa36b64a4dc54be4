package outbox

import (
	"crypto/x509"
	"errors"

	"cassini/model/delivery"
)

// callFor names what somebody has to do something about, of why a delivery failed. It is "" for what ends
// by itself, such as a manager that is away.
func callFor(err error) string {
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, invalid := errors.AsType[x509.CertificateInvalidError](err)
	_, named := errors.AsType[x509.HostnameError](err)
	switch {
	case errors.Is(err, ErrShutOut):
		return "shut out"
	case errors.Is(err, ErrAnother):
		return "another machine"
	case errors.Is(err, delivery.ErrVersion):
		return "version"
	case unknown || invalid || named:
		return "certificate"
	}
	return ""
}
