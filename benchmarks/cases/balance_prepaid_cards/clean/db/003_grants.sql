REVOKE ALL ON FUNCTION canteen.spend(text, integer, text) FROM PUBLIC;
GRANT USAGE ON SCHEMA canteen TO app;
GRANT EXECUTE ON FUNCTION canteen.spend(text, integer, text) TO app;
