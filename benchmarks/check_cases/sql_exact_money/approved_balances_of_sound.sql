CREATE TABLE clips (id bigint PRIMARY KEY, white_balance real, stereo_balance real, gain real, net_load real);
